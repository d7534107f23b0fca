// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** The one network that a listener watches: the first that calls it. */
final class WatchedNetwork {
  private volatile Model watched;

  /** Whether it is this one, which it becomes if there is none yet. */
  boolean watches(Model model) {
    return model == watched || (watched == null && adopt(model));
  }

  /** Whether it is this one. */
  boolean is(Model model) {
    return model == watched;
  }

  /** Whether it is this one, or there is none yet. */
  boolean mayBe(Model model) {
    return watched == null || model == watched;
  }

  private synchronized boolean adopt(Model model) {
    if (watched == null && !isLayer(model) && !isReplicaThread(Thread.currentThread().getName())) {
      watched = model;
    }
    return model == watched;
  }

  /** Whether it is another network that somebody should be told of. */
  boolean isStranger(Model model) {
    return model != watched
        && !isLayer(model)
        && !isReplicaThread(Thread.currentThread().getName());
  }

  /** As unsupervised pre-training calls with, one after the other. */
  static boolean isLayer(Model model) {
    return model instanceof Layer && !(model instanceof MultiLayerNetwork);
  }

  /**
   * Worker 0 of a ParallelWrapper trains the original model, the others replicas made for the
   * occasion.
   */
  private static boolean isReplicaThread(String name) {
    return name.startsWith("ParallelWrapper training thread ") && !name.endsWith(" 0");
  }
}
