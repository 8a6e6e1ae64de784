import { together } from './together.js';

together('contracts');
