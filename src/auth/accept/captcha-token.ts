/** Brings the place where Supabase clients put the captcha token, `gotrue_meta_security.captcha_token`, into ours. */
export function withCaptchaToken(body: Record<string, unknown>): Record<string, unknown> {
  const security = body['gotrue_meta_security'];
  if ((body['captcha_token'] ?? null) !== null || typeof security !== 'object' || security === null)
    return body;
  const token: unknown = (security as Record<string, unknown>)['captcha_token'];
  return token === undefined || token === null ? body : { ...body, captcha_token: token };
}
