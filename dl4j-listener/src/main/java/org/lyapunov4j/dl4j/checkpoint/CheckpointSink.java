// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.io.IOException;

/**
 * Where the checkpoints of a run go: a record, metrics, a page, a consumer of yours.
 *
 * <p>A listener calls {@link #begin} when it is built, {@link #watch} when the first checkpoint is
 * due, then {@link #accept} for every checkpoint in order, from one thread at a time, and {@link
 * #status} whenever something changes, from any thread; at the end {@link #end} and {@link #close}.
 * Each sink is guarded against the failures of the others: what {@code accept} and the methods
 * after it throw is logged and counted, and training goes on. What {@code begin} throws refuses the
 * run.
 *
 * <pre>{@code
 * LyapunovListener.builder(probe).to(checkpoint -> queue.add(CheckpointDocument.of(checkpoint))).build();
 * }</pre>
 */
@FunctionalInterface
public interface CheckpointSink extends AutoCloseable {
  /**
   * A run begins.
   *
   * @param run what is known of it
   * @throws IOException if the sink cannot be opened
   * @throws IllegalArgumentException if the sink cannot take this run
   */
  default void begin(RunInfo run) throws IOException {}

  /**
   * The model was seen.
   *
   * @param model what is watched
   * @throws IOException if it cannot be written
   * @throws IllegalArgumentException if the sink cannot take this model, by which the listener
   *     switches itself off
   */
  default void watch(ModelInfo model) throws IOException {}

  /**
   * Takes a checkpoint.
   *
   * @param checkpoint what was found
   * @throws IOException if it cannot be written
   */
  void accept(Checkpoint checkpoint) throws IOException;

  /**
   * Takes how the listener fares: when it is built, and whenever a count or what became of a
   * checkpoint changes.
   *
   * @param status as of now
   * @throws IOException if it cannot be written
   */
  default void status(ListenerStatus status) throws IOException {}

  /**
   * The run ends; no checkpoint follows.
   *
   * @param last how the listener fared
   * @throws IOException if it cannot be written
   */
  default void end(ListenerStatus last) throws IOException {}

  /**
   * Lets everything go. Closing again does nothing.
   *
   * @throws IOException if something could not be written
   */
  @Override
  default void close() throws IOException {}
}
