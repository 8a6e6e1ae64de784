import { Injectable, type PipeTransform } from '@nestjs/common';
import { uuidOf } from '../cursors.js';
import { noSuchMessage } from './message-details.js';

/** `msg_…`, or the UUID itself as logs of the database show it; 404 when it can be neither. */
@Injectable()
export class MessageIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    const [, hex] = /^(?:msg_)?([0-9a-f]{32})$/i.exec(id.replaceAll('-', '')) ?? [];
    if (hex === undefined) throw noSuchMessage();
    return uuidOf(hex);
  }
}
