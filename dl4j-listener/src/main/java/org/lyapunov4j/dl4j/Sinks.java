// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.io.IOException;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;
import org.lyapunov4j.dl4j.checkpoint.ModelInfo;
import org.lyapunov4j.dl4j.checkpoint.RunInfo;

/** All sinks of a listener, each guarded against the failures of the others. */
final class Sinks {
  private final List<CheckpointSink> sinks;
  private final Consumer<Stage> stages;

  /** Told of what was being done and what was thrown; may throw on. */
  interface Failures extends BiConsumer<String, Throwable> {}

  /** Something that may fail. */
  private interface Action {
    void run(CheckpointSink sink) throws IOException, InterruptedException;
  }

  Sinks(List<CheckpointSink> sinks, Consumer<Stage> stages) {
    this.sinks = List.copyOf(sinks);
    this.stages = stages;
  }

  /**
   * Begins all, until one refuses.
   *
   * @throws IllegalArgumentException if one cannot take the run
   */
  void begin(RunInfo run) {
    try {
      for (CheckpointSink sink : sinks) {
        sink.begin(run);
      }
    } catch (IOException e) {
      throw new IllegalArgumentException("a sink must be open to write, got " + e, e);
    }
  }

  /** Lets all go again, if nothing came of it. */
  void closeAfter(Throwable refused) {
    each("", CheckpointSink::close, (activity, further) -> refused.addSuppressed(further));
  }

  /**
   * Shows the model to all.
   *
   * @throws IllegalArgumentException if one cannot take it
   */
  void watch(ModelInfo model, Failures failures) {
    each(
        "The beginning of",
        sink -> sink.watch(model),
        (activity, failure) -> {
          if (failure instanceof IllegalArgumentException refusal) {
            throw refusal;
          }
          failures.accept(activity, failure);
        });
  }

  void accept(Checkpoint checkpoint, Failures failures) {
    each(
        "A checkpoint for",
        sink -> {
          stages.accept(Stage.SINK);
          sink.accept(checkpoint);
        },
        failures);
  }

  void status(ListenerStatus status, Failures failures) {
    each("The status for", sink -> sink.status(status), failures);
  }

  void end(ListenerStatus last, Failures failures) {
    each("The end of", sink -> sink.end(last), failures);
    each("The closing of", CheckpointSink::close, failures);
  }

  private void each(String activity, Action action, Failures failures) {
    for (CheckpointSink sink : sinks) {
      try {
        action.run(sink);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        failures.accept(named(activity, sink), e);
      } catch (Throwable failure) {
        failures.accept(named(activity, sink), failure);
      }
    }
  }

  private static String named(String activity, CheckpointSink sink) {
    String name = sink.getClass().getSimpleName();
    return activity + " " + (name.isEmpty() || name.contains("$") ? "a sink" : name);
  }
}
