package dev.tidestream.server.admin;

import java.util.Optional;

import dev.tidestream.server.canary.CanaryReport;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.ShadowReport;
import dev.tidestream.server.canary.ShadowSpec;

/**
 * Who publishes versions that are held, and tries them out before. Worker threads; calls may block until other changes are made. An
 * {@link AdminException} means that nothing has changed.
 */
public interface TrialsDesk {

    /**
     * Makes a held version the one that new streams get; durable when this returns.
     *
     * @return false if it was that already
     * @throws AdminException {@code unknown_version} if it is not held, {@code busy}, {@code no_data_dir}, {@code budget_exceeded},
     *     {@code too_many_versions}, {@code disk_full}
     */
    boolean publish(long version) throws AdminException;

    /**
     * Has a share of new streams begin with a held version.
     *
     * @throws AdminException {@code trial_conflict} if a canary runs; {@code invalid_value} if its rule needs a shadow that does not run;
     *     {@code unknown_version}, {@code busy}, {@code no_data_dir}, {@code budget_exceeded}, {@code too_many_versions}
     */
    CanaryReport begin(CanarySpec canary) throws AdminException;

    /** The canary that runs, or else the last one of this process. */
    Optional<CanaryReport> canary();

    /** Ends the canary, if one runs; streams that have begun with its version go on. */
    Optional<CanaryReport> endCanary();

    /**
     * Publishes the version of the canary that runs, which ends it.
     *
     * @return the version
     * @throws AdminException {@code trial_conflict} if none runs, and as {@link #publish}
     */
    long promote() throws AdminException;

    /**
     * Has a version's logits computed beside those of a share of live streams.
     *
     * @throws AdminException {@code trial_conflict} if a shadow runs; {@code invalid_value} for the current version;
     *     {@code unknown_version} if it is neither held nor in memory; {@code busy}, {@code budget_exceeded}, {@code too_many_versions}
     */
    ShadowReport begin(ShadowSpec shadow) throws AdminException;

    /** The shadow that runs, or else the last one of this process. */
    Optional<ShadowReport> shadow();

    /** Ends the shadow, if one runs. */
    Optional<ShadowReport> endShadow();
}
