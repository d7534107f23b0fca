// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;

/**
 * A node of a network.
 *
 * @param name the layer's or vertex's name
 * @param rule what it does
 * @param inputs indices of earlier nodes; −1 − i stands for features array i
 */
record Node(String name, Rule rule, List<Integer> inputs) {}
