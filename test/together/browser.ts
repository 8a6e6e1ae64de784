import { together } from './together.js';

together('browser');
