"""PyTorch's knowledge distillation tutorial with the weights and data of the test: writes torch.json."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from reference import fill, labels, save, values  # noqa: E402


class DeepNN(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 128, kernel_size=3, padding=1), nn.ReLU(), nn.Conv2d(128, 64, kernel_size=3, padding=1), nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
            nn.Conv2d(64, 64, kernel_size=3, padding=1), nn.ReLU(), nn.Conv2d(64, 32, kernel_size=3, padding=1), nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.classifier = nn.Sequential(nn.Linear(2048, 512), nn.ReLU(), nn.Dropout(0.1), nn.Linear(512, num_classes))

    def forward(self, x):
        x = torch.flatten(self.features(x), 1)
        return self.classifier(x), F.avg_pool1d(x, 2)


class LightNN(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(kernel_size=2, stride=2),
            nn.Conv2d(16, 16, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.classifier = nn.Sequential(nn.Linear(1024, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, num_classes))

    def forward(self, x):
        x = torch.flatten(self.features(x), 1)
        return self.classifier(x), x


teacher = DeepNN().eval()
fill(teacher)
results = {}
for name in ("labels", "soft", "cosine"):
    student = LightNN().eval()
    fill(student)
    opt = torch.optim.Adam(student.parameters(), lr=0.001)
    results[name] = []
    for i in range(10):
        x, y = values(f"x{i}", 1, 4, 3, 32, 32), labels(f"y{i}", 10, 4)
        opt.zero_grad()
        with torch.no_grad():
            teacher_logits, teacher_features = teacher(x)
        logits, features = student(x)
        loss = F.cross_entropy(logits, y)
        if name == "soft":
            T = 2
            soft_targets = F.softmax(teacher_logits / T, dim=-1)
            soft_prob = F.log_softmax(logits / T, dim=-1)
            soft = torch.sum(soft_targets * (soft_targets.log() - soft_prob)) / soft_prob.size()[0] * (T**2)
            loss = 0.25 * soft + 0.75 * loss
        if name == "cosine":
            hidden = F.cosine_embedding_loss(features, teacher_features, target=torch.ones(4))
            loss = 0.25 * hidden + 0.75 * loss
        loss.backward()
        opt.step()
        results[name].append(loss.item())
save(__file__, **results)
