package dev.tidestream.server.cluster.follow;

import java.util.Optional;

import dev.tidestream.server.cluster.log.LogState;

/**
 * How far a node is.
 *
 * @param log as the node sees it
 * @param applied newest version that it can serve
 * @param problem why it is not at the newest, for people; empty if nothing is wrong
 * @param diverged whether its bits or its history are others than those agreed on: then it must take no new streams
 */
public record FollowState(LogState log, long applied, Optional<String> problem, boolean diverged) {}
