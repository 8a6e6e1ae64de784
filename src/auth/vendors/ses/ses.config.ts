import { list } from '../../../config/readers.js';
import { Section, variable } from '../../../config/section.js';

/** Where a topic of SNS is, partition and region; the last parts are the account and the name. */
const topicArn =
  /^arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d{1,2}):\d{12}:[\w-]{1,256}(\.fifo)?$/;

function topicArns(given: string): readonly string[] {
  const arns = list(given);
  if (arns.every((arn) => topicArn.test(arn))) return arns;
  throw new Error('must be ARNs of topics, such as arn:aws:sns:eu-central-1:123456789012:mail');
}

/** The only host that speaks for a topic (https://docs.aws.amazon.com/general/latest/gr/sns.html). */
export function snsHostOf(arn: string): string {
  const [, partition, region = ''] = topicArn.exec(arn) ?? [];
  return `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

export const sesConfig = new Section('Amazon SES', {
  topics: variable('SES_TOPIC_ARNS', topicArns, {
    default: '',
    about: 'The topics of Amazon SNS by which SES reports, separated by commas.',
  }),
});
