/**
 * Endpoints of vLLM and SGLang that trainers know, in these servers' shapes: what is pushed by them is a transaction like any other, and
 * becomes one version. Requests come in on an event loop, the desks are called on threads that may block.
 */
@NullMarked
package dev.tidestream.server.weights.trainer;

import org.jspecify.annotations.NullMarked;
