@NullMarked
package dev.tidestream.server.receipts.verify;

import org.jspecify.annotations.NullMarked;
