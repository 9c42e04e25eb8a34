/**
 * What of a step's logits somebody outside of the scheduler may see.
 */
@NullMarked
package dev.tidestream.server.scheduler.probe;

import org.jspecify.annotations.NullMarked;
