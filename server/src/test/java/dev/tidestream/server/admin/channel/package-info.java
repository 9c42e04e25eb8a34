@NullMarked
package dev.tidestream.server.admin.channel;

import org.jspecify.annotations.NullMarked;
