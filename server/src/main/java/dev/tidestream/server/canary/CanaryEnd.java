package dev.tidestream.server.canary;

import java.util.Locale;

/** Why a canary has ended. */
public enum CanaryEnd {
    /** An administrator has ended it. */
    STOPPED,
    /** Its version was published. */
    PROMOTED,
    /** A newer version was published. */
    SUPERSEDED,
    /** By its rule: the version makes logits that are not finite. */
    NON_FINITE,
    /** By its rule: its tokens are too unlikely. */
    MEAN_LOGPROB,
    /** By its rule: its tokens are too unlikely beside those of the current version. */
    LOGPROB_DROP,
    /** By its rule: too many of its streams have failed. */
    FAILED_SHARE,
    /** By its rule: its logits are too far from those of the current version. */
    KL;

    /** As it stands on the wire. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether nobody has asked for it: the rule has. */
    public boolean byRule() {
        return switch (this) {
            case STOPPED, PROMOTED, SUPERSEDED -> false;
            case NON_FINITE, MEAN_LOGPROB, LOGPROB_DROP, FAILED_SHARE, KL -> true;
        };
    }
}
