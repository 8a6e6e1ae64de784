import { together } from './together.js';

together('http');
