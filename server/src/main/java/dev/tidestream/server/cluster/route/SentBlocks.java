package dev.tidestream.server.cluster.route;

import java.util.LinkedHashMap;
import java.util.Map;

/** What was sent to one node: the blocks of prompts, the longest unused forgotten first, and streams since its last report. */
final class SentBlocks {
    private final Map<Long, Boolean> blocks;
    private long report;
    private int streams; // since that report

    /** @param most blocks that are remembered */
    SentBlocks(int most) {
        blocks = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
                return size() > most;
            }
        };
    }

    /** Streams that were sent after the report was made, as far as is known: it may already count the last of them. */
    int streamsSince(long latest) {
        return report == latest ? streams : 0;
    }

    /** How many of these blocks, from the first on, the node has been sent; changes nothing. */
    int known(long[] prompt) {
        int known = 0;
        while (known < prompt.length && blocks.containsKey(prompt[known])) {
            known++;
        }
        return known;
    }

    /** A stream goes there. Its first block was used last, since the others are of no use without it. */
    void add(long latest, long[] prompt) {
        streams = streamsSince(latest) + 1;
        report = latest;
        for (int i = prompt.length - 1; i >= 0; i--) {
            blocks.put(prompt[i], true);
        }
    }

    int size() {
        return blocks.size();
    }
}
