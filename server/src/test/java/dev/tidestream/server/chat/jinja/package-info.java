/** Tests of the template engine. */
@NullMarked
package dev.tidestream.server.chat.jinja;

import org.jspecify.annotations.NullMarked;
