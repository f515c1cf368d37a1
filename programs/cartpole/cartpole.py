"""The environment CartPole-v1 of Gymnasium, as cartpole.go has it."""

import math


class CartPole:
    def __init__(self, x, speed, angle, swing):
        self.state, self.steps = [x, speed, angle, swing], 0

    def step(self, action):
        """Pushes the cart and reports whether the episode is over."""
        x, speed, angle, swing = self.state
        sin, cos = math.sin(angle), math.cos(angle)
        pull = ((10 if action == 1 else -10) + 0.05 * swing**2 * sin) / 1.1
        fall = (9.8 * sin - cos * pull) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
        push = pull - 0.05 * fall * cos / 1.1
        self.state = [x + 0.02 * speed, speed + 0.02 * push, angle + 0.02 * swing, swing + 0.02 * fall]
        self.steps += 1
        x, _, angle, _ = self.state
        return abs(x) > 2.4 or abs(angle) > math.radians(12) or self.steps == 500
