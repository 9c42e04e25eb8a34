@NullMarked
package dev.tidestream.server.receipts;

import org.jspecify.annotations.NullMarked;
