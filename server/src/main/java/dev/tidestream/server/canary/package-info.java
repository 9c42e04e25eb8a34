/**
 * Versions that are tried before they are published: a canary, which some new streams begin with until a rule or an administrator ends it,
 * and a shadow, whose logits are computed beside those of live streams and compared. Rows of logits are seen on the decode thread.
 */
@NullMarked
package dev.tidestream.server.canary;

import org.jspecify.annotations.NullMarked;
