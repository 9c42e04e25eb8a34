package dev.tidestream.loadtest.run;

import java.util.Optional;

/** What kills workers of the server that is measured. */
public interface WorkerFaults {

    /**
     * Kills the next one, as if its machine had lost power. On the I/O thread; does not block.
     *
     * @return its name; empty if none lives now
     */
    Optional<String> kill();
}
