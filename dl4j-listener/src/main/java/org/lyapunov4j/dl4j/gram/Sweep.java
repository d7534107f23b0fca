// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One pass forward and one backward through a replica, for all columns at once. */
final class Sweep {
  private final List<Node> nodes;
  private final List<Output> outputs;
  private final Probe probe;
  private final ParameterWeights parameterWeights;
  private final boolean[] active;
  private Projection projection = Projection.NONE;
  private int columns;
  private boolean keepsBlocks;
  private long budget = Long.MAX_VALUE;

  Sweep(Replica replica, Probe probe, ParameterWeights parameterWeights) {
    nodes = replica.nodes();
    outputs = replica.outputs();
    this.probe = probe;
    this.parameterWeights = parameterWeights;
    active = new boolean[nodes.size()];
    for (int n = 0; n < active.length; n++) {
      active[n] = isActive(n);
    }
  }

  /** Takes out of the weighted blocks what a step does not move in. */
  Sweep projectedBy(Projection projection) {
    this.projection = projection;
    return this;
  }

  /** Refuses to go backward with more memory than a budget in bytes. */
  Sweep limitedTo(int columns, boolean keepsBlocks, long budget) {
    this.columns = columns;
    this.keepsBlocks = keepsBlocks;
    this.budget = budget;
    return this;
  }

  /** Whether anything at or below a node is trained. */
  private boolean isActive(int n) {
    Rule rule = nodes.get(n).rule();
    return rule.isTrained()
        || (!(rule instanceof FrozenRule frozen && frozen.stops()) && anyInputActive(n));
  }

  private boolean anyInputActive(int n) {
    for (int input : nodes.get(n).inputs()) {
      if (input >= 0 && active[input]) {
        return true;
      }
    }
    return false;
  }

  /** What starts the backward pass. */
  interface Start {
    /** The derivatives of all columns with respect to output o, whose value is f. */
    INDArray derivatives(int o, INDArray f);
  }

  /**
   * Runs both passes and hands every Jacobian block, weighted and projected, over with its node;
   * blocks come from the top down.
   */
  void run(Start start, BiConsumer<Node, JacobianBlock> blocks) {
    runWeighted(start, (node, block, parameters) -> blocks.accept(node, block));
  }

  /** The same with the parameters of each block. */
  void runWeighted(Start start, Blocks blocks) {
    run(
        start,
        (node, block, parameters) -> {
          JacobianBlock weighted = parameterWeights.apply(block, parameters);
          if (weighted != null) {
            blocks.accept(node, projection.apply(weighted, parameters), parameters);
          }
        });
  }

  /** Receives blocks with the parameters of their columns. */
  interface Blocks {
    void accept(Node node, JacobianBlock block, INDArray[] parameters);
  }

  /** Runs both passes and hands every Jacobian block over as it is, with its parameters. */
  void run(Start start, Blocks blocks) {
    INDArray[] epsilons = new INDArray[nodes.size()];
    List<INDArray> values = forward();
    SweepMemory.of(nodes, values, columns, keepsBlocks).require(budget);
    for (int o = 0; o < outputs.size(); o++) {
      int node = outputs.get(o).node();
      add(epsilons, node, start.derivatives(o, values.get(node)));
    }
    for (int n = nodes.size() - 1; n >= 0; n--) {
      if (epsilons[n] != null && active[n]) {
        backward(n, epsilons, blocks);
      }
      epsilons[n] = null;
    }
  }

  /** Runs the pass forward alone: the outputs of all nodes. */
  List<INDArray> forward() {
    List<INDArray> values = new ArrayList<>();
    for (Node node : nodes) {
      List<INDArray> inputs = new ArrayList<>();
      for (int input : node.inputs()) {
        inputs.add(input < 0 ? probe.features()[-1 - input] : values.get(input));
      }
      values.add(node.rule().forward(probe.examples(), inputs));
    }
    return values;
  }

  private void backward(int n, INDArray[] epsilons, Blocks blocks) {
    Node node = nodes.get(n);
    boolean propagate = anyInputActive(n);
    List<INDArray> below =
        node.rule()
            .backward(
                epsilons[n],
                propagate,
                (block, parameters) -> blocks.accept(node, block, parameters));
    for (int j = 0; propagate && j < node.inputs().size(); j++) {
      int input = node.inputs().get(j);
      if (input >= 0 && active[input]) {
        add(epsilons, input, below.get(j));
      }
    }
  }

  private static void add(INDArray[] epsilons, int n, INDArray epsilon) {
    epsilons[n] = epsilons[n] == null ? epsilon : epsilons[n].add(epsilon);
  }
}
