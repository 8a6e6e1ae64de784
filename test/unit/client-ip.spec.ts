import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';
import { clientIpKey, trustProxyOption } from '../../src/http/client-ip.js';
import { trustedProxies } from '../../src/config/addresses.config.js';

describe('clientIpKey', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::1'],
    ['192.0.2.1:51234', '192.0.2.1'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
  ])('counts %s as %s', (ip, key) => {
    expect(clientIpKey({ ip })).toBe(key);
  });

  it('counts the proxy when what it passed on is no address', () => {
    expect(clientIpKey({ ip: 'unknown', ips: ['10.0.0.1', '10.0.0.2', 'unknown'] })).toBe('10.0.0.2');
  });

  it('counts those without any address together', () => {
    expect(clientIpKey({ ip: undefined })).toBe('unknown');
    expect(clientIpKey({ ip: '999.1.1.1' })).toBe('unknown');
  });
});

describe('trustProxyOption', () => {
  const servers: FastifyInstance[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  /** The bucket of a request over a real socket from 127.0.0.1, with these header lines. */
  async function bucket(trustProxy: string[], ...headers: string[]): Promise<string> {
    const server = fastify({ trustProxy: trustProxyOption(trustedProxies(trustProxy.join(','))) });
    servers.push(server);
    server.get('/', (request) => clientIpKey(request));
    await server.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((server.addresses()[0] as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
    socket.write(['GET / HTTP/1.1', 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n'));
    let answer = '';
    socket.on('data', (chunk: string) => (answer += chunk));
    await once(socket, 'end');
    return answer.slice(answer.indexOf('\r\n\r\n') + 4);
  }

  it('takes the socket when nobody is trusted, whatever the header says', async () => {
    expect(await bucket([], 'X-Forwarded-For: 203.0.113.9')).toBe('127.0.0.1');
    expect(await bucket(['0'], 'X-Forwarded-For: 203.0.113.9')).toBe('127.0.0.1');
  });

  it('takes the socket when the peer is not one of the trusted proxies', async () => {
    expect(await bucket(['10.0.0.0/8'], 'X-Forwarded-For: 203.0.113.9')).toBe('127.0.0.1');
  });

  it('takes the address that the last of one proxy added, however many were forged before it', async () => {
    for (const forged of ['', '1.2.3.4, ', '1.2.3.4, 5.6.7.8, 127.0.0.1, ', 'garbage, ']) {
      const header = `X-Forwarded-For: ${forged}203.0.113.9`;
      expect(await bucket(['1'], header)).toBe('203.0.113.9');
      expect(await bucket(['127.0.0.0/8'], header)).toBe('203.0.113.9');
    }
  });

  it('counts two proxies as hops', async () => {
    expect(await bucket(['2'], 'X-Forwarded-For: 1.2.3.4, 203.0.113.9, 10.0.0.7')).toBe('203.0.113.9');
  });

  it('goes through a chain of trusted networks to the rightmost address outside them', async () => {
    const trusted = ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'];
    const header = 'X-Forwarded-For: 10.9.9.9, 198.51.100.1, 203.0.113.9, fd12::1, ::ffff:10.0.0.7';
    expect(await bucket(trusted, header)).toBe('203.0.113.9');
  });

  it('understands proxies that add ports and brackets', async () => {
    const trusted = ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'];
    const header = 'X-Forwarded-For: 203.0.113.9:51000, [fd12::1]:443, 10.0.0.7:8080';
    expect(await bucket(trusted, header)).toBe('203.0.113.9');
  });

  it('reads several header lines as one list', async () => {
    expect(await bucket(['1'], 'X-Forwarded-For: 1.2.3.4', 'X-Forwarded-For: 203.0.113.9')).toBe(
      '203.0.113.9',
    );
  });

  it.each(['unknown', '_hidden', 'a.b.c.d', '1.2.3', '203.0.113.999', '<script>'])(
    'counts the proxy when it passes on %s',
    async (garbage) => {
      expect(await bucket(['1'], `X-Forwarded-For: ${garbage}`)).toBe('127.0.0.1');
      expect(await bucket(['127.0.0.1'], `X-Forwarded-For: 1.2.3.4, ${garbage}`)).toBe('127.0.0.1');
    },
  );

  it.each([
    [['true'], 'must be a number of proxies'],
    [['loopback'], 'must be a number of proxies'],
    [['10.0.0.0/33'], 'must be a number of proxies'],
    [['10.0.0.0/8/8'], 'must be a number of proxies'],
    [['10.0.0.0/'], 'must be a number of proxies'],
    [['10.0.0.0/255.0.0.0'], 'must be a number of proxies'],
    [['10.0.0.256'], 'must be a number of proxies'],
    [['-1'], 'must be a number of proxies'],
    [['1', '10.0.0.0/8'], 'not both'],
    [['10.0.0.0/8', '1'], 'must be a number of proxies'],
    [['99'], 'at most 10 proxies'],
    [['0.0.0.0/0'], 'whole internet'],
    [['::/0'], 'whole internet'],
    [['::ffff:10.0.0.0/104'], 'write it as IPv4'],
  ])('refuses %j', (items, problem) => {
    expect(() => trustedProxies(items.join(','))).toThrow(problem);
  });
});
