import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';

/** Loopback and Unix sockets only, or a network that the user called trusted with --insecure. */
export const insecureServerCredentials = (): ServerCredentials => ServerCredentials.createInsecure();
export const insecureClientCredentials = (): ChannelCredentials => credentials.createInsecure();

export type { ChannelCredentials, ServerCredentials };
