/**
 * Traces (W3C Trace Context): where in somebody's trace a request belongs, and a span for every stream.
 *
 * <p>{@code RequestTrace} is what a request says of its caller's trace, and travels with it to the end of its stream; {@code StreamSpans}
 * makes the span of a stream that has ended, {@code OtlpExport} sends spans to a collector where that is wanted. Knows OpenTelemetry and
 * nothing of ours but what has been counted of a stream; no thread of its own but those of the exporter.
 */
@NullMarked
package dev.tidestream.server.tracing;

import org.jspecify.annotations.NullMarked;
