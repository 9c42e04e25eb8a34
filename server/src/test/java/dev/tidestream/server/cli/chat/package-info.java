@NullMarked
package dev.tidestream.server.cli.chat;

import org.jspecify.annotations.NullMarked;
