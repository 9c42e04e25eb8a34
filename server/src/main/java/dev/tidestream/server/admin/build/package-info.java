/**
 * Makes the model that comes next beside the one that is served, within a memory budget, and puts it in its place. Worker threads
 * only.
 */
@NullMarked
package dev.tidestream.server.admin.build;

import org.jspecify.annotations.NullMarked;
