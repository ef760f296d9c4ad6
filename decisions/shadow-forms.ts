/** Methods that change nothing, as HTTP means them (RFC 9110, 9.2.1). */
export const safeMethods = ['GET', 'HEAD', 'OPTIONS'] as const;
/** Those that are asked of the stable side only where a spec says that it is harmless. */
export const otherMethods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What texts of a shadow look like; the JSON Schema of the spec says the same. */
export const shadowForms = {
  /** A key of a Secret or ConfigMap. */
  key: /^[\w.-]{1,253}$/,
  variable: /^[A-Za-z_]\w{0,100}$/,
  /** A spec holds no secret: no address with a user in it. */
  plain: /^(?!.*:\/\/[^\s/]*@)[^\r\n]{0,1000}$/,
  side: /^https?:\/\/[^\s/?#@]+$/,
  /** In lower case; credentials belong to no spec, and how a message is framed is nobody's to say. */
  header:
    /^(?!(?:authorization|cookie|proxy-authorization|x-api-key|host|connection|content-length|transfer-encoding)$)[a-z0-9-]{1,100}$/,
  headerValue: /^[^\r\n]{0,1000}$/,
  path: /^\/\S{0,1999}$/,
  body: /^[\s\S]{0,10000}$/,
} as const;
