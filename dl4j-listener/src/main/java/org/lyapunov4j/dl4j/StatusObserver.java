// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.function.Consumer;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;

/** Tells a consumer of every new state and every new reason, and not of counts alone. */
final class StatusObserver implements CheckpointSink {
  private final Consumer<ListenerStatus> consumer;
  private ListenerStatus told;

  StatusObserver(Consumer<ListenerStatus> consumer) {
    this.consumer = consumer;
  }

  @Override
  public void accept(Checkpoint checkpoint) {}

  @Override
  public void status(ListenerStatus status) {
    ListenerStatus before = told;
    told = status;
    if (before == null
        || before.state() != status.state()
        || !before.reason().equals(status.reason())) {
      consumer.accept(status);
    }
  }
}
