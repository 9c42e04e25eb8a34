package dev.tidestream.server.openai.lanes;

/** Bytes that all connections with lanes hold together, each within its share. Event loop. */
final class LaneBudget {
    private final long limit;
    private final long limitOfOne;
    private long held;

    LaneBudget(long limit, long limitOfOne) {
        this.limit = limit;
        this.limitOfOne = limitOfOne;
    }

    /** What one connection holds. */
    final class Share {
        private long mine;

        /** Takes bytes; false if there is no room for them. */
        boolean take(long bytes) {
            if (mine + bytes > limitOfOne || held + bytes > limit) {
                return false;
            }
            mine += bytes;
            held += bytes;
            return true;
        }

        /** Gives bytes back. */
        void give(long bytes) {
            mine -= bytes;
            held -= bytes;
        }

        /** Gives all of them back. */
        void giveAll() {
            give(mine);
        }

        long bytes() {
            return mine;
        }
    }

    /** That of a new connection. */
    Share share() {
        return new Share();
    }

    /** What all connections hold. */
    long held() {
        return held;
    }
}
