/**
 * {@code GET /v1/responses} as a WebSocket: many conversations on one connection, each on a lane.
 *
 * <p>A {@code LaneSession} is one connection: it reads {@code LaneFrame}s. Each {@code response.create} is a {@code Turn}; those of a lane
 * follow each other, lanes go on side by side ({@code LaneSchedule}). The last response of each lane can be gone on from
 * ({@code LatestResponses}), within what all connections may hold ({@code LaneBudget}). What a turn's stream makes of its response, and
 * the events of that, are those of {@code openai.responses}. Event loop, but for what makes prompts of requests.
 */
@NullMarked
package dev.tidestream.server.openai.lanes;

import org.jspecify.annotations.NullMarked;
