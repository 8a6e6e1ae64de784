import { together } from './together.js';

together('operate');
