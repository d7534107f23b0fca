// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.List;

/** The experiments. */
final class Experiments {
  static final List<Experiment> ALL =
      List.of(
          new Evolution(),
          new Prediction(),
          new Speed(),
          new Chebyshev(),
          new Cifar(),
          new Toy(),
          new Fashion(),
          new StochasticEdge(),
          new ProbeSize(),
          new Generalisation(),
          new MeanSquare());

  private Experiments() {}
}
