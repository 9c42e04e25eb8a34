/** Tests of conversations and where templates come from. */
@NullMarked
package dev.tidestream.server.chat;

import org.jspecify.annotations.NullMarked;
