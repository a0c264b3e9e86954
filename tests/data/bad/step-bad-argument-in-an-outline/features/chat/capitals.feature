Feature: Capitals
  Scenario Outline: It knows <country>
    When I ask "What is the capital of <country>? Answer in JSON."
    Then the reply's "capital" matches "<pattern>"
    And the reply mentions all of:
      | <country> | capital |

    Examples:
      | country | pattern |
      | France  | Par(is  |
