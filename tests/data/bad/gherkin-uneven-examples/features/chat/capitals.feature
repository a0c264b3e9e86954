Feature: Capitals
  Scenario Outline: It knows <country>
    When I ask "What is the capital of <country>?"
    Then the reply mentions "<capital>"
    Examples:
      | country | capital |
      | France  | Paris   |
      | Italy   |
      | Spain   | Madrid  | 3.3M |
