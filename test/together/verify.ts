import { together } from './together.js';

together('verify');
