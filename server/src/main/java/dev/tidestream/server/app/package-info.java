/**
 * A server, put together: {@code TidestreamServer} of a {@code ServerConfig}. Knows every room but {@code cli} and {@code bench}, no command
 * line and no terminal: other programs may start one.
 */
@NullMarked
package dev.tidestream.server.app;

import org.jspecify.annotations.NullMarked;
