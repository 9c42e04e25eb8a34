/**
 * Files of tensors that need not be rebuilt: their format, a reader that trusts nothing, a writer.
 */
@NullMarked
package dev.tidestream.server.admin.store.checkpoint;

import org.jspecify.annotations.NullMarked;
