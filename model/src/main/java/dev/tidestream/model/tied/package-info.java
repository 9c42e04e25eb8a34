/**
 * The tied embedding: lookup and logits from one panel copy.
 */
@NullMarked
package dev.tidestream.model.tied;

import org.jspecify.annotations.NullMarked;
