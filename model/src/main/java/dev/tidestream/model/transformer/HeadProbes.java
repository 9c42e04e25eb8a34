package dev.tidestream.model.transformer;

import dev.tidestream.model.tied.HeadObserver;
import dev.tidestream.model.tied.HiddenStates;

/**
 * Who is told when the head was used: by the thread that computes, so both must be quick.
 *
 * @param observer of times
 * @param recent keeps hidden states, to compare heads on
 */
public record HeadProbes(HeadObserver observer, HiddenStates recent) {

    /** Nobody. */
    public static final HeadProbes NONE = new HeadProbes(HeadObserver.NONE, HiddenStates.none());
}
