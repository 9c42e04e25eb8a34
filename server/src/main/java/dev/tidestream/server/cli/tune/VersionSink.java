package dev.tidestream.server.cli.tune;

import java.io.IOException;

import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.server.cli.admin.AdminFailedException;

/** Takes what a model has become, while it is trained. One thread. */
interface VersionSink extends AutoCloseable {

    /**
     * Hands over all tensors that are trained, in place of those of the call before: as one version, or none.
     *
     * @param step after which they are so
     * @return the version that they are now
     * @throws AdminFailedException if they were refused
     * @throws IOException if the connection broke
     */
    long push(int step, TuningModel model) throws IOException, AdminFailedException, InterruptedException;

    @Override
    void close();
}
