@NullMarked
package dev.tidestream.server.admin;

import org.jspecify.annotations.NullMarked;
