@NullMarked
package dev.tidestream.protocol.admin;

import org.jspecify.annotations.NullMarked;
