@NullMarked
package dev.tidestream.server.cli.admin;

import org.jspecify.annotations.NullMarked;
