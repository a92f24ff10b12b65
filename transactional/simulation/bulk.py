from dataclasses import dataclass
@dataclass
class BulkPlan: pass
def write_history(): pass
