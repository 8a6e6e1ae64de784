import { Injectable } from '@nestjs/common';
import { orUnavailable } from '../../http/api-error.js';
import type { Language } from '../../pages/language.js';
import { purposeOf } from '../messages/confirmation-type.js';
import type { PagePolicy } from '../requests/page-answers.js';
import { LinkStates } from '../tokens/link-states.js';
import { formSources, VerifyRedirect } from './verify-answers.js';
import type { VerifyLink } from './verify.dto.js';
import {
  confirmPage,
  confirmScript,
  incompleteLinkPage,
  invalidLinkPage,
  usedLinkPage,
} from './verify.page.js';

export interface LinkPage {
  readonly status: 200 | 400;
  readonly htmlIn: (language: Language) => string;
  readonly policy?: PagePolicy;
}

/** What a person should do with the link that they hold. Changes nothing. */
@Injectable()
export class LinkPages {
  constructor(
    private readonly redirect: VerifyRedirect,
    private readonly links: LinkStates,
  ) {}

  /** @param link null when it is incomplete */
  async of(link: VerifyLink | null): Promise<LinkPage> {
    if (!link) return { status: 400, htmlIn: incompleteLinkPage };
    const { type, token } = link;
    const target = this.redirect.target(link.redirectTo);
    const state = await orUnavailable(() => this.links.of(token, purposeOf(type, 'email')));
    if (state === 'used')
      return { status: 200, htmlIn: (language) => usedLinkPage({ type, target }, language) };
    if (state === 'none') return { status: 200, htmlIn: (language) => invalidLinkPage(target, language) };
    return {
      status: 200,
      htmlIn: (language) => confirmPage({ type, token, target }, language),
      policy: { formAction: formSources(target), script: confirmScript.source },
    };
  }
}
