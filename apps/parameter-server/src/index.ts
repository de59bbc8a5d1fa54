export { runParameterServer, type ParameterServerOptions } from './run-parameter-server.ts';
