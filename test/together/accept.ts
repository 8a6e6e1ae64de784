import { together } from './together.js';

together('accept');
