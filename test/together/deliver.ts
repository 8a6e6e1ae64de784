import { together } from './together.js';

together('deliver');
