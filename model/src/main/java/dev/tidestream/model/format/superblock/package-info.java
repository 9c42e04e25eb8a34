/** What formats with super-blocks of 256 columns have in common: ggml's K-quants. */
@NullMarked
package dev.tidestream.model.format.superblock;

import org.jspecify.annotations.NullMarked;
