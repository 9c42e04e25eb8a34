/**
 * Changes under running streams: what administrators may ask for ({@code AdminDesk}), how they are refused, what is written down about
 * it. The packages below do it: {@code channel} is the way in, {@code service} the answers, {@code build} the next model, {@code store}
 * the durable history. Knows no event loop.
 */
@NullMarked
package dev.tidestream.server.admin;

import org.jspecify.annotations.NullMarked;
