/**
 * Packed panels kept in files, so that a model that was loaded once is loaded faster the next time. Reads and writes files on the
 * caller's thread and the team's; knows GGUF files and panels, not what a model makes of them.
 */
@NullMarked
package dev.tidestream.model.packed;

import org.jspecify.annotations.NullMarked;
