package dev.tidestream.server.epoch;

import dev.tidestream.model.tied.HeadMode;

/**
 * An epoch whose memory has not been given back, at a moment.
 *
 * @param current whether new streams get it
 * @param leases streams that hold it
 * @param bytes of weights and derived layouts that it uses
 * @param ownBytes those of them that no other epoch uses
 */
public record EpochStatus(
        long weightsVersion, HeadMode headMode, boolean current, int leases, long bytes, long ownBytes) {}
