Feature: Life of the services
  @serial
  Scenario: The backend dies beside nobody, but is not brought back
    When I kill the service "backend"
    And I ask "What is the capital of France?"
    Then the status is 503
  Scenario Outline: The backend dies beside others after <events> events
    When I ask "Write a story." and kill the service "backend" after <events> events
    Then the stream ends whole or with an error
    Examples:
      | events |
      | 3      |
      | 5      |
  Scenario: The figures of the backend are read beside others
    When I ask "Write a story." and hang up after 3 events
    Then the service "backend" is idle within 5s
  @destructive
  Scenario: All is well
    When I ask "Write a story." and stop the stack after 3 events
    Then the stack stopped within 10s
